"""The ways to serve an application: stand-alone on either of two libraries, and below an ASGI server."""
