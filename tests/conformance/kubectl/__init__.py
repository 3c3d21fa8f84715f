"""Real kubectl 1.37 against our server and our documents."""
