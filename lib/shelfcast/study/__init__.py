"""The published study's own protocol: month x store x product, six models, a random split that leaks across time."""
