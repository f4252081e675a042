"""What a month on AWS costs: Lambda and all that stands around it."""

from lastmile_sls.estimate.aws.resources import COSTS

__all__ = ["COSTS"]
