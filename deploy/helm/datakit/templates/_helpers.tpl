{{- define "datakit.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "datakit.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "datakit.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "datakit.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "datakit.selector" -}}
app.kubernetes.io/name: {{ include "datakit.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "datakit.labels" -}}
{{ include "datakit.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "datakit.account" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "datakit.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "datakit.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- /* Whether the agent asks its own cluster, for which it needs its token. */}}
{{- define "datakit.inCluster" -}}
{{- if and (eq .Values.confd.backend "kubernetes") (not .Values.confd.nodes) }}yes{{ end }}
{{- end }}

{{- /* The namespace whose objects the kubernetes backend reads. */}}
{{- define "datakit.configNamespace" -}}
{{- default .Release.Namespace .Values.confd.options.confd_namespace }}
{{- end }}
