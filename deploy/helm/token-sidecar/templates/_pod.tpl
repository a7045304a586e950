{{/* The pod template of whatever kind of workload. */}}
{{- define "token-sidecar.pod" -}}
metadata:
  labels:
    {{- include "token-sidecar.selectorLabels" . | nindent 4 }}
    {{- include "token-sidecar.podLabels" . | nindent 4 }}
    {{- with .Values.pod.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- include "token-sidecar.podAnnotations" . | nindent 4 }}
    {{- with .Values.pod.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- if has .Values.workload.kind (list "Job" "CronJob") }}
  restartPolicy: Never
  {{- end }}
  serviceAccountName: {{ include "token-sidecar.serviceAccountName" . }}
  automountServiceAccountToken: {{ .Values.pod.automountServiceAccountToken }}
  terminationGracePeriodSeconds: {{ .Values.pod.terminationGracePeriodSeconds }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.pod.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if or (eq .Values.variant "native") .Values.pod.initContainers }}
  initContainers:
    {{- if eq .Values.variant "native" }}
    {{- include "token-sidecar.container" . | nindent 4 }}
    {{- end }}
    {{- with .Values.pod.initContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    {{- if eq .Values.variant "plain" }}
    {{- include "token-sidecar.container" . | nindent 4 }}
    {{- end }}
    {{- include "token-sidecar.main" . | nindent 4 }}
  volumes:
    {{- include "token-sidecar.volumes" . | nindent 4 }}
    {{- with .Values.pod.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
  {{- with index $.Values.pod $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* Your program. */}}
{{- define "token-sidecar.main" -}}
- name: main
  image: {{ include "token-sidecar.mainImage" . | quote }}
  imagePullPolicy: {{ .Values.main.image.pullPolicy }}
  {{- range $key := list "command" "args" "env" "envFrom" "ports" "startupProbe" "readinessProbe" "livenessProbe" "lifecycle" "resources" "securityContext" "volumeMounts" }}
  {{- with index $.Values.main $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end }}
