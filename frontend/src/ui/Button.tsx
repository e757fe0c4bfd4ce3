import type { ComponentProps } from 'react';
import './button.css';

interface Props extends ComponentProps<'button'> {
  /** One `primary` a screen. `plain` is a word one may press. */
  look?: 'primary' | 'outline' | 'plain';
}

export function Button({ look = 'outline', className = '', ...rest }: Props) {
  return <button type="button" className={`button button-${look} ${className}`} {...rest} />;
}
