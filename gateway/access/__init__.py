"""Who may do what: keys, passwords, roles and limits."""
