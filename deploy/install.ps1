# Installs DataKit on Windows, with PowerShell 5.1 or 7, as an administrator:
#
#   $env:DK_CONFD_BACKEND="etcdv3"; $env:DK_CONFD_BACKEND_NODES="[127.0.0.1:2379]"
#   $env:DK_DATAWAY="https://openway.guance.com?token=<TOKEN>"
#   Set-ExecutionPolicy Bypass -Scope Process -Force
#   Invoke-WebRequest https://static.guance.com/datakit/install.ps1 -OutFile install.ps1 -UseBasicParsing
#   .\install.ps1
#
# It fetches the archive for this machine, checks it, and runs `datakit install`
# from it, which reads the DK_ variables from the environment: no value is on a
# command line, which others can see. See docs/datakit-install.md.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue' # its bar slows PowerShell 5.1 down tenfold

function Test-Switch([string]$Value) {
    return -not (@('', '0', 'false', 'no', 'off') -contains $Value.Trim().ToLowerInvariant())
}

function Get-Platform {
    # A 32-bit PowerShell on a 64-bit Windows names the machine in the second one.
    $machine = $env:PROCESSOR_ARCHITEW6432
    if (-not $machine) { $machine = $env:PROCESSOR_ARCHITECTURE }
    switch ($machine) {
        'AMD64' { return 'windows-amd64' }
        'ARM64' { return 'windows-arm64' }
    }
    throw "there is no archive for ${machine}: only AMD64 and ARM64 machines are served"
}

function Get-File([string]$Base, [string]$Name, [string]$Folder) {
    try {
        Invoke-WebRequest -Uri "$Base/$Name" -OutFile (Join-Path $Folder $Name) -UseBasicParsing
    } catch {
        throw "$Name could not be fetched: is DK_INSTALLER_BASE_URL right, and reachable from here?"
    }
}

# SHA256SUMS is checked with the key in DK_PUBLIC_KEY, a line such as
# "ssh-ed25519 AAAA...", by the ssh-keygen that comes with Windows.
function Test-Signature([string]$Base, [string]$Folder, [string]$Key) {
    if (-not (Get-Command ssh-keygen -ErrorAction SilentlyContinue)) {
        throw 'DK_PUBLIC_KEY is set, and there is no ssh-keygen to check the signature with: install the OpenSSH client'
    }
    Get-File $Base 'SHA256SUMS.sig' $Folder
    $signers = Join-Path $Folder 'signers'
    [IO.File]::WriteAllText($signers, "datakit namespaces=`"datakit`" $Key`n")
    # cmd hands the file over byte by byte; a pipe of PowerShell would change its lines.
    $sums = Join-Path $Folder 'SHA256SUMS'
    & cmd.exe /d /c "ssh-keygen -Y verify -f `"$signers`" -I datakit -n datakit -s `"$sums.sig`" < `"$sums`" >NUL 2>&1"
    if ($LASTEXITCODE -ne 0) {
        throw 'SHA256SUMS is not signed with the key in DK_PUBLIC_KEY: nothing was installed'
    }
}

function Test-Archive([string]$Name, [string]$Folder) {
    $want = $null
    foreach ($line in [IO.File]::ReadAllLines((Join-Path $Folder 'SHA256SUMS'))) {
        $sum, $file = $line.Trim() -split '\s+\*?', 2
        if ($file -eq $Name) { $want = $sum; break }
    }
    if (-not $want) { throw "SHA256SUMS does not name ${Name}: nothing was installed" }
    $have = (Get-FileHash -Algorithm SHA256 -LiteralPath (Join-Path $Folder $Name)).Hash
    if ($have -ne $want) { throw "$Name is not what SHA256SUMS says: nothing was installed" }
}

function Test-Administrator {
    $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object Security.Principal.WindowsPrincipal $identity
    return $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

function Install-DataKit {
    if (-not (Test-Switch "$env:DK_FILES_ONLY") -and -not (Test-Administrator)) {
        throw 'run this as an administrator: the service has to be registered'
    }
    # PowerShell 5.1 on an old Windows asks with TLS 1.0, which few servers take.
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
    $base = $env:DK_INSTALLER_BASE_URL
    if (-not $base) { $base = 'https://static.guance.com/datakit' }
    $archive = "datakit-$(Get-Platform).zip"
    $folder = Join-Path ([IO.Path]::GetTempPath()) "datakit.$([Guid]::NewGuid().ToString('N'))"
    [void](New-Item -ItemType Directory -Path $folder)
    try {
        Write-Output "fetch     $archive"
        Get-File $base $archive $folder
        Get-File $base 'SHA256SUMS' $folder
        if ($env:DK_PUBLIC_KEY) { Test-Signature $base $folder $env:DK_PUBLIC_KEY }
        Test-Archive $archive $folder
        Expand-Archive -LiteralPath (Join-Path $folder $archive) -DestinationPath (Join-Path $folder 'archive')
        $program = Join-Path (Join-Path $folder 'archive') 'datakit.exe'
        if (-not (Test-Path -LiteralPath $program)) { throw "$archive holds no datakit.exe: nothing was installed" }
        $verb = 'install'
        if (Test-Switch "$env:DK_UPGRADE") { $verb = 'upgrade' }
        & $program $verb --program $program
        if ($LASTEXITCODE -ne 0) { throw "datakit $verb failed" }
    } finally {
        Remove-Item -Recurse -Force -LiteralPath $folder -ErrorAction SilentlyContinue
    }
}

try {
    Install-DataKit
} catch {
    [Console]::Error.WriteLine("install.ps1: $($_.Exception.Message)")
    exit 1
}
