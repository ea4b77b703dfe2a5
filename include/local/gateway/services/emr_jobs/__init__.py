"""Job runs of EMR Serverless and of EMR on EKS, really executed as processes of this machine."""
