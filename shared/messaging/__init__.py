"""The log on Kafka: topics declared once, and a consumer that turns batches into gapless ordered runs."""
