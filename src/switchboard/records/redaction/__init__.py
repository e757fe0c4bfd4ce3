"""Takes people's numbers and addresses out of texts before they are stored. Pure: no I/O, no clock.

`kinds` says what is looked for, `runs` reads digits as they are written and spoken, `numbers`,
`ids` and `emails` find, `tail` holds back what may still grow, and `redactor` puts it together.
"""
