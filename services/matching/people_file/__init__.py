"""HR's file of people: read whatever it was saved as, shown as what it changes, and applied."""
