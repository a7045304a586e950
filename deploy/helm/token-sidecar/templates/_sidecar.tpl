{{/*
For pod templates, in this chart and in yours. From a chart that depends on this one, hand over the
subchart's own scope: include "token-sidecar.container" (index .Subcharts "token-sidecar").
*/}}

{{/* Labels of the pod: what the PodMonitor and the NetworkPolicy look for. */}}
{{- define "token-sidecar.podLabels" -}}
token-sidecar/variant: {{ .Values.variant }}
token-sidecar/configuration: {{ include "token-sidecar.fullname" . }}
{{- end }}

{{/*
Annotations of the pod: they change, and pods are replaced, only with those keys of the
configuration that a running sidecar can't take up.
*/}}
{{- define "token-sidecar.podAnnotations" -}}
token-sidecar/starts-with: {{ pick (.Values.config | default dict) "workers" "store" "tracing" | toJson | sha256sum | trunc 16 | quote }}
{{- end }}

{{/* One entry of `initContainers` (native) or `containers` (plain), the first of them. */}}
{{- define "token-sidecar.container" -}}
{{- if and (eq .Values.variant "native") (semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version) }}
{{- fail (printf "variant: a native sidecar needs Kubernetes 1.29, this is %s (where the pod would wait for it for ever): say `variant: plain`" .Capabilities.KubeVersion.Version) }}
{{- end -}}
- name: token-sidecar
  image: {{ include "token-sidecar.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args: [run, --config, /etc/token-sidecar/config.yaml]
  {{- if eq .Values.variant "native" }}
  restartPolicy: Always
  {{- end }}
  {{- with .Values.env }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - name: metrics
      containerPort: {{ .Values.metricsPort }}
  startupProbe:
    httpGet: {path: /healthz, port: metrics}
    periodSeconds: 1
    timeoutSeconds: 5
    failureThreshold: 60
  livenessProbe:
    httpGet: {path: /healthz, port: metrics}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 3
  readinessProbe:
    httpGet: {path: /readyz, port: metrics}
    periodSeconds: 5
    timeoutSeconds: 5
    failureThreshold: 2
  {{- with .Values.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- include "token-sidecar.confined" . | nindent 2 }}
  {{- include "token-sidecar.volumeMounts" . | nindent 2 }}
{{- end }}

{{- define "token-sidecar.confined" -}}
securityContext:
  runAsNonRoot: true
  {{- with .Values.runAsUser }}
  runAsUser: {{ . }}
  runAsGroup: {{ . }}
  {{- end }}
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "token-sidecar.volumeMounts" -}}
volumeMounts:
  - {name: token-sidecar-config, mountPath: /etc/token-sidecar, readOnly: true}
  - {name: token-sidecar-secrets, mountPath: /run/secrets/token-sidecar, readOnly: true}
  - {name: token-sidecar-state, mountPath: /run/token-sidecar}
  {{- if .Values.identity.enabled }}
  - {name: token-sidecar-identity, mountPath: /run/secrets/tokens, readOnly: true}
  {{- end }}
{{- end }}

{{/* Entries of `volumes`: whole directories, so that what changes in the cluster arrives. */}}
{{- define "token-sidecar.volumes" -}}
- name: token-sidecar-config
  configMap:
    name: {{ include "token-sidecar.configMapName" . }}
    defaultMode: 0444
- name: token-sidecar-secrets
  secret:
    secretName: {{ .Values.secret.name }}
    defaultMode: 0444
    optional: {{ .Values.secret.optional }}
- name: token-sidecar-state
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
{{- if .Values.identity.enabled }}
- name: token-sidecar-identity
  projected:
    defaultMode: 0444
    sources:
      - serviceAccountToken:
          audience: {{ required "identity.audience: name the realm's address, as the provider writes it" .Values.identity.audience | quote }}
          expirationSeconds: {{ .Values.identity.expirationSeconds }}
          path: idp
{{- end }}
{{- end }}
