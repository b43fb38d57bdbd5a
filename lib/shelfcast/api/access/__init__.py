"""Who may see and do what: users and their stores, passwords, sessions, API tokens, and the audit of what they did."""
