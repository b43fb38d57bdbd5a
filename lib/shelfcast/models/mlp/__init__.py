"""The multilayer perceptron, and the LSTM beside it: numpy in, Keras within, no Spark."""

# A network is two models of the leaderboard: its mean under its own name, its median under this one.
MEDIAN_SUFFIX = "_median"
# Behind the kind's name: the same network, with heads of their own for the stores that keep one.
HEADS_SUFFIX = "_stores"
FAMILY = "Keras"
