"""What is delivered into a cloud and no cloud's own Pulumi package carries: keys, documents, images, code."""
