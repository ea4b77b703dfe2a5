"""Amazon DataZone: projects, assets, listings, data sources, data products, subscriptions."""
