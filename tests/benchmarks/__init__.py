"""What the network costs, measured on a real broker and a real database. Asserts no time."""
