"""The softphone: a page with telephones that ring the agent and are rung by it."""
