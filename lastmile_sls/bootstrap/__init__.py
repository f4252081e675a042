"""What belongs to a cloud account and is shared by all models in it: decided here, made by `lastmile_infra.bootstrap`."""
