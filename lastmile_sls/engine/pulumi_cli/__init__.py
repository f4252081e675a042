"""The Pulumi CLI as an engine, driven through Pulumi's Automation API."""
