# A module
resource "aws_datapipeline_pipeline" "default" {
  name        = "tf-${var.env}"
  description = "hello"
  tags = { team = "data", "k-2" = var.env }
}

resource "aws_s3_bucket" "logs" {
  bucket = "logs-${var.env}"
}

locals {
  prefix = "s3://${aws_s3_bucket.logs.id}/x"
  fields = { workerGroup = "wg", scheduleType = "cron" }
  loop_a = local.loop_b
  loop_b = local.loop_a
}

resource "aws_datapipeline_pipeline_definition" "example" {
  pipeline_id = aws_datapipeline_pipeline.default.id
  pipeline_object {
    id   = "Default"
    name = "Default"
    dynamic "field" {
      for_each = local.fields
      content {
        key          = field.key
        string_value = field.value
      }
    }
    field {
      key       = "schedule"
      ref_value = "Schedule"
    }
  }
  pipeline_object {
    id   = "Schedule"
    name = "Every 1 day"
    field {
      key          = "startDateTime"
      string_value = "2012-12-12T00:00:00"
    }
    field {
      key          = "type"
      string_value = "Schedule"
    }
    field {
      key          = "period"
      string_value = var.hourly ? "1 hour" : "1 day"
    }
  }
  pipeline_object {
    id   = "SayHello"
    name = "SayHello"
    field {
      key          = "type"
      string_value = "ShellCommandActivity"
    }
    field {
      key          = "command"
      string_value = <<-EOT
        echo "hello ${var.who}" $${INPUT1_STAGING_DIR} #{format(@scheduledStartTime, '${var.pattern}')}
          aws s3 cp ${local.prefix} ${aws_sns_topic.t.arn} ${upper(join("-", ["a", var.env]))}
      EOT
    }
    field {
      key = "parent"
      string_value = "Default"
    }
    field {
      key = "stdout"
      string_value = "${local.loop_a}"
    }
  }
  parameter_object {
    id = "*myPass"
    attribute {
      key = "type"
      string_value = "String"
    }
  }
  parameter_value {
    id = "*myPass"
    string_value = var.password
  }
}
