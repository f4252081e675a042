"""Google Cloud, asked with google-cloud-run, and by REST for what else there is."""
