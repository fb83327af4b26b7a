"""The project's own pages: how they are built, and that what they show works."""
