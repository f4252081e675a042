"""Rules for what is deployed to a cloud: pure functions of resources and parameters. They import nothing else of ours."""
