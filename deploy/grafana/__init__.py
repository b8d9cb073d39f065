"""Dashboards for Grafana: what is drawn, as data, and how it becomes what Grafana loads."""
