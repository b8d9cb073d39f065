"""What each release asked of its database, so that the next one can be held to go on answering."""
