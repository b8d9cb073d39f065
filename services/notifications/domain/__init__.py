"""The rules of what is said, to whom and until when. Pure: no await, no clock, no SQL."""
