"""The resource types that the engine knows: a module a service, each with its `TYPES`."""
