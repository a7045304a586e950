{{/*
The configuration file: what the chart decides, then yours. In a Job nobody asks any more when the
program has ended; an ordinary container is told to end at the same moment as the program.
*/}}
{{- define "token-sidecar.configuration" -}}
{{- $delay := "5s" }}
{{- if has .Values.workload.kind (list "Job" "CronJob") }}
{{- $delay = "0s" }}
{{- else if eq .Values.variant "plain" }}
{{- $delay = "15s" }}
{{- end }}
{{- $yours := .Values.config | default dict }}
{{- $ours := dict
  "metrics" (printf "0.0.0.0:%v" .Values.metricsPort)
  "state_dir" "/run/token-sidecar/state"
  "log" (dict "format" "json")
  "drain" (dict "delay" $delay "grace" "30s") }}
{{- $_ := required "config.routes: say where requests go; with a credential, that is ten lines: docs/configuration.md" $yours.routes }}
{{- mergeOverwrite $ours (deepCopy $yours) | toYaml }}
{{- end }}

{{/* Whether there is anything to configure: a workload of ours, or a chart that includes us. */}}
{{- define "token-sidecar.configured" -}}
{{- if and (not .Values.existingConfigMap) (or .Values.config (ne .Values.workload.kind "none")) }}yes{{ end }}
{{- end }}
