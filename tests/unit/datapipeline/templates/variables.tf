variable "env" { default = "prod" }
variable "hourly" {
  type = bool
  default = true
}
variable "who" {}
variable "pattern" { 
  type = string 
  description = "Pattern of a day" 
}
variable "password" { sensitive = true }
