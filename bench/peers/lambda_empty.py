"""The floor of Lambda's own runtime: a handler that does nothing."""


def handler(event, context):
    return {"statusCode": 200, "body": "{}"}
