"""What is done about a fact or a request. `on_*` run in the delivery's transaction; none sends."""
