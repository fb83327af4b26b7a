"""What may be said of a document beside whether it can be read: a table of rules, each a value."""
