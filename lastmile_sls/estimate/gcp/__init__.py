"""What Google Cloud bills for the resources of our programs."""

from lastmile_sls.estimate.gcp.resources import COSTS

__all__ = ["COSTS"]
