"""Amazon EMR on EKS: job runs that are really executed; virtual clusters are moto's."""
