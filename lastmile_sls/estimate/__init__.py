"""What a deployment will cost: from its plan, the resources that would be made, the month's traffic and list prices."""
