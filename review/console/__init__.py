"""The console: server-rendered pages for reviewers, operators, leads and admins."""
