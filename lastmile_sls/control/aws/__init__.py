"""AWS, asked with boto3."""
