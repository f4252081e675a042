"""What Azure bills for the resources of our programs."""

from lastmile_sls.estimate.azure.resources import COSTS

__all__ = ["COSTS"]
