"""SCIM 2.0: HR's directory provisions people, who go out as facts. Nobody else reads its tables."""
