"""What tests share: databases, topics, waiting for conditions. Holds no test and no fixture."""
