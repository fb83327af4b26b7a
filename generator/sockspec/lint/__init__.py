"""`sockspec lint`: rules as they are configured, what was suppressed, and mending what can be."""
