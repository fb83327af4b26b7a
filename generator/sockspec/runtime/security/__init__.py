"""Who connects and what they may do: credentials, principals, scopes, and the way they travel."""
