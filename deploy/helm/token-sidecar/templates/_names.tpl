{{/* The chart's name, or what stands for it. */}}
{{- define "token-sidecar.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{/* What everything of this release is called; 52 letters are left so that Jobs can add theirs. */}}
{{- define "token-sidecar.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "token-sidecar.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "token-sidecar.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "token-sidecar.selectorLabels" -}}
app.kubernetes.io/name: {{ include "token-sidecar.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "token-sidecar.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "token-sidecar.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "token-sidecar.configMapName" -}}
{{- .Values.existingConfigMap | default (printf "%s-config" (include "token-sidecar.fullname" .)) }}
{{- end }}

{{- define "token-sidecar.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "token-sidecar.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "token-sidecar.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "token-sidecar.mainImage" -}}
{{- $image := .Values.main.image }}
{{- $repository := required "main.image.repository: name the image of your program, or leave workload.kind at none and include the sidecar in your own chart" $image.repository }}
{{- printf "%s%s%s" $repository (ternary "@" ":" (hasPrefix "sha256:" $image.tag)) $image.tag }}
{{- end }}
