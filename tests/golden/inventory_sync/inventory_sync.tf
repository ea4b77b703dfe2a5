variable "bucket" {
  type    = string
  default = "acme-inventory"
}

variable "warehouses" {
  type    = list(string)
  default = ["north", "south"]
}

resource "aws_datapipeline_pipeline" "inventory" {
  name        = "inventory-sync"
  description = "Fetches the stock of each warehouse"
  tags = {
    team = "logistics"
  }
}

resource "aws_datapipeline_pipeline_definition" "inventory" {
  pipeline_id = aws_datapipeline_pipeline.inventory.id

  pipeline_object {
    id   = "Default"
    name = "Default"
    field {
      key          = "scheduleType"
      string_value = "cron"
    }
    field {
      key          = "failureAndRerunMode"
      string_value = "CASCADE"
    }
    field {
      key       = "schedule"
      ref_value = "Every90Minutes"
    }
    field {
      key          = "workerGroup"
      string_value = "logistics"
    }
  }

  pipeline_object {
    id   = "Every90Minutes"
    name = "Every 90 minutes"
    field {
      key          = "type"
      string_value = "Schedule"
    }
    field {
      key          = "period"
      string_value = "90 minutes"
    }
    field {
      key          = "startDateTime"
      string_value = "2024-01-01T00:00:00"
    }
  }

  dynamic "pipeline_object" {
    for_each = var.warehouses
    content {
      id   = "Fetch_${pipeline_object.value}"
      name = "Fetch ${pipeline_object.value}"
      field {
        key          = "type"
        string_value = "ShellCommandActivity"
      }
      field {
        key          = "command"
        string_value = "fetch-stock ${pipeline_object.value} s3://${var.bucket}/#{format(@scheduledStartTime, 'YYYY-MM-dd-HH-mm')}/#{myRegion}"
      }
    }
  }

  parameter_object {
    id = "myRegion"
    attribute {
      key          = "type"
      string_value = "String"
    }
    attribute {
      key          = "default"
      string_value = "eu-west-1"
    }
  }
}
