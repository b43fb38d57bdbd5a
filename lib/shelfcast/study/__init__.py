"""The published study's own protocol: month x store x product, six models and a network, a random split that leaks
across time."""
