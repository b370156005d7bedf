"""What lies between a request and its answers: who signs, when it is sent, what comes back."""
