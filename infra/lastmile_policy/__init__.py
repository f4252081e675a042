"""The policy pack that `lastmile policy pack` writes out: the rules of `lastmile_sls.policy` for the Pulumi CLI."""
