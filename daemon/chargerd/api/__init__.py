"""The HTTP API: a request becomes an event, state becomes a response. It never touches a driver."""
