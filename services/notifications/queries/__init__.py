"""Every SQL statement of notifications, named, with typed rows. Decides nothing.

Each statement about people or their messages names the tenant. No statement asks for the time.
"""
