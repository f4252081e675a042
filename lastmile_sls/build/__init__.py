"""From a spec to what is deployed: models chosen, packages locked, bundles built, packaged for the target, documented."""
