"""What a Pulumi program says of AWS, carried out on moto."""
