"""The projection as a whole: proved from the log, built anew beside the live one, swapped."""
